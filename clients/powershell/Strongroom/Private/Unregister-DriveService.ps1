function Unregister-DriveService {
    <#
    .SYNOPSIS
    Stops the service of a drive, by force where it does not follow, and removes it. Does nothing where there is none.
    #>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory = $true)]
        [string] $Name
    )

    $service = Get-Service -Name $Name -ErrorAction SilentlyContinue
    if ($null -eq $service) {
        return
    }
    if ($service.Status -ne [System.ServiceProcess.ServiceControllerStatus]::Stopped) {
        $running = Get-CimInstance -ClassName Win32_Service -Filter "Name='$Name'"
        try {
            $service.Stop()
            $service.WaitForStatus([System.ServiceProcess.ServiceControllerStatus]::Stopped, '00:00:30')
        }
        catch {
            Write-Verbose -Message "The service $Name did not stop by itself: $($_.Exception.Message)"
            if ($running.ProcessId -gt 0) {
                Stop-Process -Id $running.ProcessId -Force -ErrorAction SilentlyContinue
            }
        }
    }
    $service.Dispose()
    $control = Join-Path -Path $env:SystemRoot -ChildPath 'System32\sc.exe'
    $said = Invoke-Program -LiteralPath $control -Argument @('delete', $Name)
    if ($said.ExitCode -ne 0) {
        throw (ConvertTo-DriveError -Id 'ServiceRefused' -Category 'InvalidResult' -Target $Name -Message (
                "The service $Name cannot be removed: $($said.Output)") -WayOut (
                'Close the Services window and Task Manager, which hold services open, and run the command again.'))
    }
}
