function Mount-Drive {
    <#
    .SYNOPSIS
    Writes down what a drive is, proves that it can be read, and makes its service. Where one step fails, nothing stays.
    #>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory = $true)]
        [string] $Rclone,

        [Parameter(Mandatory = $true)]
        [pscustomobject] $Agent,

        [Parameter(Mandatory = $true)]
        [string] $BucketName,

        [Parameter(Mandatory = $true)]
        [string] $DriveLetter,

        [Parameter(Mandatory = $true)]
        [string] $Security,

        [Parameter(Mandatory = $true)]
        [bool] $IsReadOnly
    )

    Protect-Folder -LiteralPath $script:StateFolder
    Protect-Folder -LiteralPath $script:DriveFolder -IsReadableByAll
    Protect-Folder -LiteralPath $script:LogFolder
    $service = "StrongroomDrive$DriveLetter"
    $value = @{
        bucket          = $BucketName
        endpoint        = $Agent.Endpoint
        region          = $Agent.Region
        credentials_url = $Agent.CredentialsUrl
        token_file      = $Agent.TokenFile
        config          = Join-Path -Path $script:DriveFolder -ChildPath "$DriveLetter.conf"
        log             = Join-Path -Path $script:LogFolder -ChildPath "$DriveLetter.log"
        drive           = "${DriveLetter}:"
        label           = $BucketName.Substring(0, [System.Math]::Min(32, $BucketName.Length))
        security        = $Security
    }
    try {
        Write-DriveFile -LiteralPath $value['config'] -Line @(Expand-DriveTemplate -Part 'remote' -Value $value)
        Assert-BucketReadable -Rclone $Rclone -Value $value
        $words = @($Rclone) + @(Expand-DriveTemplate -Part 'mount' -Value $value)
        if ($IsReadOnly) {
            $words += @(Expand-DriveTemplate -Part 'mount_read_only' -Value $value)
        }
        $words += @(Expand-DriveTemplate -Part 'mount_windows' -Value $value)
        Register-DriveService -Name $service -DisplayName "Strongroom drive ${DriveLetter}: ($BucketName)" `
            -CommandLine $words -Environment @(Expand-DriveTemplate -Part 'environment' -Value $value)
        Write-DriveRecord -DriveLetter $DriveLetter -BucketName $BucketName -IsReadOnly $IsReadOnly -Service $service `
            -Log $value['log']
        Start-Service -Name $service
        Wait-Drive -DriveLetter $DriveLetter -Log $value['log']
    }
    catch {
        $failure = $_
        Dismount-Drive -DriveLetter $DriveLetter -Service $service
        throw $failure
    }
}
