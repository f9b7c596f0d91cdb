function Write-DriveRecord {
    <#
    .SYNOPSIS
    Writes down what a drive is, for the commands of this module and for the agent, which reports its health.
    #>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory = $true)]
        [string] $DriveLetter,

        [Parameter(Mandatory = $true)]
        [string] $BucketName,

        [Parameter(Mandatory = $true)]
        [bool] $IsReadOnly,

        [Parameter(Mandatory = $true)]
        [string] $Service,

        [Parameter(Mandatory = $true)]
        [string] $Log
    )

    $record = [ordered] @{
        drive_letter = $DriveLetter
        bucket       = $BucketName
        is_read_only = $IsReadOnly
        service      = $Service
        log          = $Log
        made_at      = [System.DateTime]::UtcNow.ToString('yyyy-MM-ddTHH:mm:ssZ')
    }
    $file = Join-Path -Path $script:DriveFolder -ChildPath "$DriveLetter.json"
    Write-DriveFile -LiteralPath $file -Line @(ConvertTo-Json -InputObject $record)
}
